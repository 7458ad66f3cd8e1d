// A classic script: what it declares is global.
var yard = { founded: 1926 };
