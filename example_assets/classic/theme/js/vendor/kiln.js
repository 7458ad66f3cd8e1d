/* A library of its time: one global, no module. */
var Kiln = {
  temperature: 20,
  heat: function (degrees) {
    // one degree at a time would take all day
    this.temperature += degrees;
    return this;
  }
};
