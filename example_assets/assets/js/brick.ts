export interface Brick {
  name: string;
  count: number;
}

export const describe = ({ name, count }: Brick): string => `${count} ${name}`;
