(function () {
  "use strict";
  window.greeting = "Bricks since " + (year() - 100);
})()
