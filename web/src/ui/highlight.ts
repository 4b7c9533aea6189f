/** Source as coloured pieces, a line at a time. */
import Prism from "prismjs/components/prism-core";
import "prismjs/components/prism-python";
import "prismjs/components/prism-perl";
import type { Grammar, GrammarValue, Token, TokenStream } from "prismjs";

// Else the "q" of "$q = 1;" would begin a quoted text, up to the next "=".
const perl = Prism.languages.perl as Record<string, GrammarValue>;
Prism.languages.insertBefore("perl", "comment", { variable: perl.variable });

Prism.manual = true;
Prism.disableWorkerMessageHandler = true;

export interface Piece {
  kind: string;
  text: string;
}

/** Longer texts are shown as they are: colours are not worth a frozen page. */
const LONGEST_TEXT = 400_000;
const LONGEST_LINE = 2_000;

function plain(lines: string[]): Piece[][] {
  return lines.map((text) => [{ kind: "", text }]);
}

function collect(stream: TokenStream, kind: string, into: Piece[][]): void {
  if (typeof stream === "string") {
    stream.split("\n").forEach((text, i) => {
      if (i > 0) into.push([]);
      if (text) into[into.length - 1].push({ kind, text });
    });
  } else if (Array.isArray(stream)) {
    for (const part of stream) collect(part, kind, into);
  } else {
    const token = stream as Token;
    collect(token.content, token.type, into);
  }
}

/** The pieces of each line. `language` is "python" or "perl". */
export function highlight(lines: string[], language: string): Piece[][] {
  const grammar = (Prism.languages as Record<string, Grammar | undefined>)[language];
  const size = lines.reduce((sum, line) => sum + line.length + 1, 0);
  if (!grammar || size > LONGEST_TEXT || lines.some((line) => line.length > LONGEST_LINE)) {
    return plain(lines);
  }
  const pieces: Piece[][] = [[]];
  collect(Prism.tokenize(lines.join("\n"), grammar), "", pieces);
  return pieces.length === lines.length ? pieces : plain(lines);
}
