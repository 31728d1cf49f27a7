/**
 * A code as a QR picture: rows of modules, drawn here and nowhere else.
 *
 * @module
 */
import { encodeQR } from "qr";

/** Light modules around the picture: the standard's quiet zone is 4, and readers take 2. */
const BORDER = 2;

/** @returns one text per row, `1` for dark */
export function qrRows(text: string): string[] {
  const rows = encodeQR(text, "raw", { ecc: "low", border: BORDER });
  return rows.map((row) => row.map((isDark) => (isDark ? "1" : "0")).join(""));
}

/** The same for a terminal: two rows in one line of half blocks, dark on light whatever the terminal's colours. */
export function qrText(text: string): string {
  const rows = qrRows(text);
  const lines: string[] = [];
  for (let at = 0; at < rows.length; at += 2) {
    const [above, below] = [rows[at]!, rows[at + 1] ?? ""];
    // The terminal's ink is light on dark as a rule, so a light module is the one that is drawn.
    lines.push([...above].map((dark, x) => blocks[`${dark}${below[x] ?? "1"}`]).join(""));
  }
  return lines.join("\n");
}

const blocks: Record<string, string> = { "11": " ", "10": "▄", "01": "▀", "00": "█" };
