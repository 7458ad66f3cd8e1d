export const share = (height, heights) => `${Math.round((100 * height) / Math.max(...heights))}%`;
