/** Numbers and names as people read them. */

/** Seconds with three significant digits and a unit: "12.3 ms". */
export function time(seconds: number): string {
  const size = Math.abs(seconds);
  if (size >= 99.95) return `${seconds.toFixed(0)} s`;
  if (size >= 0.9995) return `${seconds.toPrecision(3)} s`;
  if (size >= 0.0009995) return `${(seconds * 1e3).toPrecision(3)} ms`;
  if (size >= 0.0000009995) return `${(seconds * 1e6).toPrecision(3)} µs`;
  return size === 0 ? "0" : `${(seconds * 1e9).toFixed(0)} ns`;
}

/** The time of a line, with a "~" if it is a shared one. */
export function lineTime(line: { time: number; shared: boolean }): string {
  return (line.shared ? "~" : "") + time(line.time);
}

/** What that means. */
export const SHARED =
  "~ a share of a time that was measured for several lines together; --exact-lines measures each line";

/** "1,234,567". */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** A share of a whole: "12.3 %", "<0.1 %". */
export function percent(part: number, whole: number): string {
  if (!(whole > 0) || part === 0) return "0 %";
  const value = (100 * part) / whole;
  if (value > 0 && value < 0.1) return "<0.1 %";
  return `${value.toFixed(value < 9.95 ? 1 : 0)} %`;
}

/** "1 time", "3 times". */
export function times(n: number): string {
  return n === 1 ? "1 time" : `${count(n)} times`;
}

/** With a sign, as changes are told: "+1,234". */
export function change(n: number): string {
  return n > 0 ? `+${count(n)}` : count(n);
}

/** Time with a sign. */
export function timeChange(seconds: number): string {
  return seconds > 0 ? `+${time(seconds)}` : time(seconds);
}

/** Controls, what has no width, and what turns the direction of writing; not the tab and newline. */
const HIDDEN_CODES: [first: number, last: number][] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2069],
  [0xfeff, 0xfeff],
];
const HIDDEN = new RegExp(
  `[${HIDDEN_CODES.map((range) => range.map((c) => String.fromCharCode(c)).join("-")).join("")}]`,
  "g",
);

/** Text in which controls, and characters that turn the direction of writing, are shown as codes. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (c) => {
    const code = c.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The profile's own sentence, with the page's unit. */
export function sentence(text: string): string {
  return visible(text).replace(/(\d) us\b/g, "$1 µs");
}

/** A cell of a Markdown table. */
export function markdownCell(text: string): string {
  return visible(text)
    .replace(/[\\`*_<>|[\]]/g, "\\$&")
    .replace(/\s+/g, " ");
}

/** Inline code in Markdown, whatever the text holds. */
export function markdownCode(text: string): string {
  const inner = visible(text).replace(/\s+/g, " ").replace(/\|/g, "\\|");
  const longest = Math.max(0, ...(inner.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest ? `${fence} ${inner} ${fence}` : `${fence}${inner}${fence}`;
}

/** A cell of an RFC 4180 table. A leading = + - @ would be a formula to spreadsheets. */
export function csvCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
