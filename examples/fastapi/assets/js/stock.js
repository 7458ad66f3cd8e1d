export const stock = [
  { name: "Clinker", count: 7 },
  { name: "Sand", count: 4 },
];
