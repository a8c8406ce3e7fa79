// Named checks: each prints `ok NAME` or `FAIL NAME: why`, none can hang.
//
// No check measures the machine: whatever must happen is waited for, for as long
// as a machine under heavy load may take.
import { isDeepStrictEqual, inspect } from "node:util";

/** Seconds that anything may take. */
export const PATIENCE = 60;
/** Seconds in which the server has to notice something by itself: less than half of
 * its shortest timer that would do so later (heartbeats and pings: 30 s). */
export const AT_ONCE = 14;

let failed = 0;
let passed = 0;

/** Runs one check, which fails by rejecting or by the time limit. */
export async function check(name, run, seconds = 150) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000);
  });
  try {
    await Promise.race([run(), late]);
    passed += 1;
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    const place = (error?.stack ?? "").split("\n").find((row) => /interop\/\w+\.mjs:\d+/.test(row) && !row.includes("checks.mjs"));
    const where = place ? ` (line ${/\.mjs:(\d+)/.exec(place)[1]})` : "";
    console.log(`FAIL ${name}: ${String(error?.message ?? error).replace(/\s+/g, " ").slice(0, 300)}${where}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the program: 0 only if checks ran and none failed. */
export function finish() {
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

export function equal(found, wanted, what = "") {
  if (!isDeepStrictEqual(found, wanted)) {
    const show = (value) => inspect(value, { breakLength: Infinity, maxStringLength: 100, maxArrayLength: 12, depth: 6 });
    throw new Error(`${what ? what + ": " : ""}${show(found)}, not ${show(wanted)}`);
  }
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `condition()` is true, and returns its value. */
export async function eventually(condition, what, seconds = PATIENCE) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: still not so after ${seconds} s`);
    await sleep(20);
  }
}
