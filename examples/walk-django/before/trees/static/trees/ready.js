document.documentElement.dataset.ready = window.bootstrap ? "yes" : "no";
