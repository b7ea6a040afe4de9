// Tables in Markdown, and a chart.

/** A table with its columns lined up. */
export function table(headings, rows) {
  const widths = headings.map((heading, column) => Math.max(3, heading.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(" | ")} |`;
  return [line(headings), `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

const COLOURS = { "bare pass-through": "#9aa5b1", Portcullis: "#1f7a5c", "Portcullis, with its log": "#7cc4a7", "Hono + jose": "#d9822b", Stoma: "#8f6bb3" };
const [LEFT, BAR, GAP, WIDTH] = [190, 13, 16, 860];

/** Groups of bars. Colours that stand out on white and on black, and each bar has its name and its number beside it. */
export function bars(title, groups) {
  const largest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const scale = (WIDTH - LEFT - 240) / largest;
  let y = 44;
  const parts = [];
  for (const { name, bars } of groups) {
    parts.push(`<text x="${LEFT - 12}" y="${y + (bars.length * BAR) / 2 + 4}" text-anchor="end" class="name">${name}</text>`);
    for (const { who, value } of bars) {
      const width = Math.max(1, value * scale);
      parts.push(`<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}" rx="2" fill="${COLOURS[who]}"/>`);
      parts.push(`<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + BAR - 4}" class="value">${value.toFixed(0)} · ${who}</text>`);
      y += BAR;
    }
    y += GAP;
  }
  const style = "text{font:12px system-ui,sans-serif;fill:#222}.value{font-size:10px;fill:#555}.title{font-size:15px;font-weight:600}@media(prefers-color-scheme:dark){text{fill:#eee}.value{fill:#bbb}}";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${title}"><style>${style}</style><text x="12" y="24" class="title">${title}</text>${parts.join("")}</svg>\n`;
}
