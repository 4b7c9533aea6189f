import assert from "node:assert/strict";
import { test } from "node:test";
import { SHARED } from "../src/data/format";
import { boxesOf, svgOf } from "../src/ui/flame";
import { highlight } from "../src/ui/highlight";
import { excerptLines, overviewMarkdown } from "../src/ui/overview";
import { rowsOf, sourceCsv, sourceMarkdown } from "../src/ui/source";
import { type Column, csvOf, markdownOf } from "../src/ui/table";
import { treemapItems } from "../src/ui/treemap";
import { profile, SOURCE } from "./profile";

const HOSTILE = '</script><img src=x onerror="alert(1)">\u202e`|';

test("boxes: recursion is folded, libraries are drawn with their callers", () => {
  const p = profile();
  const boxes = boxesOf(p, 0, false, true);
  assert.deepEqual(
    boxes.map((box) => [box.fn, box.depth, box.folded]),
    [
      [-1, 0, 1],
      [0, 1, 1],
      [1, 2, 2],
      [2, 3, 1],
    ],
  );
  assert.equal(boxes[2].own, 0.8);
  const own = boxesOf(p, 0, false, false);
  assert.deepEqual(
    own.map((box) => box.fn),
    [-1, 0, 1],
  );
  assert.equal(own[2].own, 1);
});

test("boxes: nothing is lost, whichever way up", () => {
  const p = profile();
  for (const inverted of [false, true]) {
    for (const libraries of [false, true]) {
      const boxes = boxesOf(p, 0, inverted, libraries);
      const sum = boxes.filter((box) => box.depth === 1).reduce((all, box) => all + box.width, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, `${inverted} ${libraries}: ${sum}`);
    }
  }
});

test("boxes: a part of the tree is a tree", () => {
  const boxes = boxesOf(profile(), 2, false, true);
  assert.deepEqual([boxes[0].fn, boxes[0].width, boxes[0].seconds], [1, 1, 1]);
});

test("the SVG is well formed whatever names say", () => {
  const p = profile((raw) => {
    raw.str[2] = HOSTILE;
  });
  const svg = svgOf(p, boxesOf(p, 0, false, true));
  assert.ok(svg.startsWith("<svg ") && svg.endsWith("</svg>\n"));
  assert.ok(!/<(?!\/?(svg|g|title|rect|text)\b)/.test(svg));
  assert.ok(!svg.includes("\u202e"));
});

test("the second excerpt is of another function", () => {
  const p = profile();
  const by = (numbers: number[]) =>
    numbers.map((n) => p.lines.find((line) => line.line === n) as (typeof p.lines)[0]);
  const shown = (lines: number[]) => excerptLines(p, by(lines)).map((line) => line.line);
  assert.deepEqual(shown([3, 2, 6]), [3, 6]);
  assert.deepEqual(shown([6]), [6]);
  assert.deepEqual(shown([]), []);
});

test("the overview as Markdown has full paths and the figures", () => {
  const text = overviewMarkdown(profile());
  assert.match(text, /^## app\.py\n/);
  assert.match(
    text,
    /`\/home\/me\/app\.py:6`: 1\.00 s \(67 %\), 20 executions, in `__main__::work`/,
  );
  assert.match(text, /Time: Project 80 %, Standard library 20 %\./);
});

test("the source as CSV and Markdown", () => {
  const p = profile();
  const rows = rowsOf(p, p.files[0], SOURCE, "line");
  const csv = sourceCsv(rows).split("\r\n");
  assert.equal(csv[0], "line,count,seconds,calls,seconds in subs,awaits,seconds awaited,source");
  assert.equal(csv[3], "3,10,0.4,10,1,0,0,        work(i)");
  assert.equal(csv.length, 8);
  const text = sourceMarkdown(p, p.files[0], rows, 3);
  assert.match(text, /^`\/home\/me\/app\.py:3`: 100 % of the time is in this file\./);
  assert.match(text, /3 +10 +400 ms {2} {8}work\(i\)/);
});

test("shared times have a tilde, and one sentence says what it means", () => {
  const p = profile((raw) => {
    raw.line.s = [0, 0, 1];
  });
  const rows = rowsOf(p, p.files[0], SOURCE, "line");
  const csv = sourceCsv(rows).split("\r\n");
  assert.match(csv[0], /,source,shared$/);
  assert.deepEqual(
    csv.slice(1, -1).filter((row) => row.endsWith(",1")),
    [csv[6]],
  );
  const texts = [sourceMarkdown(p, p.files[0], rows, 3), overviewMarkdown(p)];
  for (const text of texts) {
    assert.equal(text.split(SHARED).length, 2);
    assert.match(text, /~1\.00 s/);
    assert.match(text, /[^~]400 ms/);
  }
  assert.ok(!overviewMarkdown(profile()).includes("~"));
  assert.ok(
    !sourceMarkdown(
      profile(),
      p.files[0],
      rowsOf(profile(), p.files[0], SOURCE, "line"),
      3,
    ).includes("~"),
  );
});

test("a fence in the source does not end the fence around it", () => {
  const p = profile();
  const rows = rowsOf(p, p.files[0], [[1, ["````", "x"]]], "line");
  assert.match(sourceMarkdown(p, p.files[0], rows, 1), /\n`````text\n/);
});

test("rows: notes above functions and below calling lines, gaps between parts", () => {
  const p = profile();
  const rows = rowsOf(
    p,
    p.files[0],
    [
      [1, ["def main():"]],
      [6, ["    return n"]],
    ],
    "line",
  );
  const kinds = rows.map((row) => (row.kind === "code" ? row.line : row.kind));
  assert.deepEqual(kinds, ["note", "note", 1, "gap", 6, "note", "note"]);
  assert.deepEqual(rows[3], { kind: "gap", lines: 4, seconds: 0.5 });
});

test("rows: without a source, the lines that have figures", () => {
  const p = profile();
  const rows = rowsOf(p, p.files[0], [], "line");
  const lines = rows.flatMap((row) => (row.kind === "code" ? [row.line] : []));
  assert.deepEqual(lines, [2, 3, 6]);
});

test("tables as CSV and Markdown, with hostile names", () => {
  const columns: Column<{ n: number; name: string }>[] = [
    { key: "n", title: "Calls", value: (item) => item.n, text: (item) => `${item.n}!` },
    { key: "name", title: "Function", value: (item) => item.name },
  ];
  const items = [{ n: 3, name: HOSTILE }];
  assert.equal(csvOf(items, columns), `Calls,Function\r\n3,"${HOSTILE.replaceAll('"', '""')}"\r\n`);
  const [head, rule, row] = markdownOf(items, columns).split("\n");
  assert.equal(head, "| Calls | Function |");
  assert.equal(rule, "| --: | --- |");
  assert.ok(row.startsWith("| 3! | \\</script\\>") && row.endsWith("\\\\u202e\\`\\| |"));
});

test("the treemap has all own time of what it shows", () => {
  const root = treemapItems(profile());
  const seconds = root.children
    ?.flatMap((kind) => kind.children ?? [])
    .flatMap((file) => file.children ?? []);
  assert.equal(
    seconds?.reduce((sum, item) => sum + item.seconds, 0),
    1.5,
  );
});

test("colours: one list of pieces for each line, and the text unchanged", () => {
  const text = ['s = """a', 'b"""  # c', "", "def f(): return 1"];
  const pieces = highlight(text, "python");
  assert.deepEqual(
    pieces.map((line) => line.map((piece) => piece.text).join("")),
    text,
  );
  assert.ok(pieces[3].some((piece) => piece.kind === "keyword" && piece.text === "def"));
  const long = ["x".repeat(1_000_000)];
  assert.deepEqual(highlight(long, "python"), [[{ kind: "", text: long[0] }]]);
  assert.deepEqual(highlight(["sub f { 1 }"], "perl")[0][0], { kind: "keyword", text: "sub" });
  const perl = highlight(["my $q = 1;", 'my $s = "$q = 2"; # 3'], "perl");
  const kinds = perl.map((line) => line.map((piece) => piece.kind).filter((kind) => kind));
  assert.ok(!kinds[0].includes("string"), String(kinds[0]));
  assert.ok(kinds[1].includes("string") && kinds[1].includes("comment"), String(kinds[1]));
});
