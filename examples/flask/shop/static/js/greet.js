yard.greet = function (element) {
  element.textContent = "Bricks since " + yard.founded;
};
