/* The one global of the site. */
var lantern = {
  all: function (selector) {
    return Array.prototype.slice.call(document.querySelectorAll(selector));
  },
  on: function (id, event, listener) {
    var element = document.getElementById(id);
    if (element) {
      element.addEventListener(event, listener);
    }
  },
};
