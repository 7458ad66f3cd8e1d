import { describe, type Brick } from "../brick";

/** A bar of blocks for each kind of brick. */
export function chart(bricks: Brick[]): string {
  return bricks.map((brick) => `${"▇".repeat(brick.count / 6)} ${describe(brick)}`).join("\n");
}
