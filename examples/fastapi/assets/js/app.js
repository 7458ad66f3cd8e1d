import { stock } from "./stock.js";

document.getElementById("stock").textContent = `${stock.length} kinds of brick`;

const { draw } = await import("./lazy/chart.js");
draw(document.getElementById("chart"), stock);
document.documentElement.dataset.ready = "yes";
