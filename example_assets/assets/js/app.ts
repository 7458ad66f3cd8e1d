import { describe, type Brick } from "./brick";
import stock from "./stock.json";

const bricks: Brick[] = stock.bricks;

function show(id: string, text: string): void {
  const place = document.getElementById(id);
  if (place) place.textContent = text;
}

show("stock", bricks.map(describe).join(", "));

const badge = document.getElementById("badge") as HTMLImageElement | null;
if (badge) badge.src = new URL("../icons/dot.svg", import.meta.url).href;

// Loaded when the browser comes to it: a chunk of its own.
const { chart } = await import("./lazy/chart");
show("chart", chart(bricks));

await navigator.serviceWorker?.register("/sw.js");
document.documentElement.dataset.ready = "yes";
