import { founded } from "./year.js";

document.getElementById("greeting").textContent = `Bricks since ${founded}`;
document.documentElement.dataset.ready = "yes";
