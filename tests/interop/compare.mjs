// Has `compare` measure quickly, and looks at its page in headless Chromium.
//
//     node compare.mjs PROGRAM
//
// Prints `ok NAME` or `FAIL NAME: why` per check.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { check, complaints, launch, tally } from './browser/harness.mjs';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('usage: node compare.mjs PROGRAM');
  process.exit(2);
}
const out = mkdtempSync(join(tmpdir(), 'compare-'));
const browser = process.env.WITHOUT_BROWSER ? undefined : await launch();
try {
  await check('a quick run measures every transport', () => {
    execFileSync(program, ['--quick', '--out', out], { timeout: 120_000 });
    const { cells, claims } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
    assert.deepEqual(cells.filter(cell => cell.error), []);
    assert.equal(new Set(cells.map(cell => cell.transport)).size, 14);
    assert.equal(claims.length, 82);
  });
  for (const width of browser ? [320, 768, 1280] : []) {
    for (const colorScheme of ['light', 'dark']) {
      await check(`its page at ${width} px, ${colorScheme}`, async () => {
        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
        const page = await context.newPage();
        page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
        page.on('pageerror', error => complaints.push(String(error)));
        page.on('request', request => { if (!/^(file|data):/.test(request.url())) complaints.push(request.url()); });
        await page.goto(pathToFileURL(join(out, 'report.html')).href);
        assert.ok(await page.locator('svg').count() >= 5);
        const seen = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(seen[0] <= seen[1], `the page is ${seen[0]} px wide`);
        const [paper, ink] = await page.evaluate(() => {
          const style = getComputedStyle(document.body);
          return [style.backgroundColor, style.color].map(it => Number(/\d+/.exec(it)[0]));
        });
        assert.ok(colorScheme === 'dark' ? paper < ink : paper > ink);
        await page.emulateMedia({ media: 'print', colorScheme });
        const printed = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(printed, 'rgb(255, 255, 255)');
        await context.close();
      });
    }
  }
} finally {
  await browser?.close();
  rmSync(out, { recursive: true, force: true });
}
process.exit(tally.failures ? 1 : 0);
