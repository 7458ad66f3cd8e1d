export const founded = 1926;
