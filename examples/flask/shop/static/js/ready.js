yard.greet(document.getElementById("greeting"));
document.documentElement.dataset.ready = "yes";
