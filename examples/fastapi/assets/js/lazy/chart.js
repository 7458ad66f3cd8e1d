import { stock } from "../stock.js";

export function draw(element, rows) {
  const most = Math.max(...stock.map((row) => row.count));
  element.textContent = rows.map((row) => "▮".repeat((row.count * 10) / most)).join("\n");
}
