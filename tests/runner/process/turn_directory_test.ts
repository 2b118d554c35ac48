import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import { TurnDirectory } from "../../../runner/process/turn_directory.ts";

Deno.test("a turn's directory has a name without a comma where that can be, as long as the turn", async () => {
  const root = await Deno.makeTempDir();
  try {
    const places = [undefined, join(root, "a,b"), join(root, "missing"), root];
    let link: string;
    {
      using directory = await TurnDirectory.create(join(root, "p,q"));
      directory.write("image-1.png", "x");
      link = directory.link(places);
      assert.equal(dirname(link), root);
      assert.equal(Deno.readTextFileSync(join(link, "image-1.png")), "x");
    }
    assert.throws(() => Deno.lstatSync(link), Deno.errors.NotFound);
    using other = await TurnDirectory.create(join(root, "p,q"));
    assert.throws(() => other.link(["", join(root, "missing")]), /without a comma in/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
