import { share } from "./tide.js";

const cells = [...document.querySelectorAll(".height")];
const heights = cells.map((cell) => Number(cell.dataset.metres));
cells.forEach((cell, row) => cell.style.setProperty("--share", share(heights[row], heights)));
document.documentElement.dataset.ready = "true";
