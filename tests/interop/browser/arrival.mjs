// The page as somebody finds it who opens it: each panel has run once, on three screens, light
// and dark, and says what it shows and where its source is.
import assert from 'node:assert/strict';
import { check, openPage } from './harness.mjs';

const SCREENS = [['a phone', 320, 640], ['a tablet', 768, 1024], ['a desk', 1280, 800]];
// Its parts, in the order in which they run.
const PANELS = ['connection', 'cost', 'http', 'codings', 'files', 'echo', 'chat', 'events', 'connect', 'own', 'hub', 'graphql', 'grpc'];

export async function arrival(browser, base) {
  const grounds = new Set();
  for (const [name, width, height] of SCREENS) for (const colorScheme of ['light', 'dark']) {
    const page = await openPage(browser, base, `${name}, ${colorScheme}`, '/', { viewport: { width, height }, colorScheme });
    await check(`${name}, ${colorScheme}: each panel runs once by itself`, async () => {
      await page.waitForSelector('body[data-arrived=yes]');
      const ran = await page.locator('section').evaluateAll(sections => sections.filter(it => it.dataset.arrived).map(it => it.id));
      assert.deepEqual(ran.toSorted(), PANELS.toSorted());
      assert.equal(await page.locator('section').count(), PANELS.length);
      assert.deepEqual(await page.locator('.fault, [data-ok=no], [data-match=no]').allTextContents(), []);
      const idle = await page.locator('[data-meter]').evaluateAll(meters => meters.filter(it => !(Number(it.dataset.received) > 0)).map(it => it.dataset.meter));
      assert.deepEqual(idle, [], 'meters that have counted nothing');
    });
    await check(`${name}, ${colorScheme}: the page fits`, async () => {
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      const cut = await page.locator('.what, .strip li, button, h2').evaluateAll(all => all.filter(it => it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).display !== 'inline').map(it => it.textContent));
      assert.deepEqual(cut, [], 'what is cut off');
      grounds.add(await page.evaluate(() => `${matchMedia('(prefers-color-scheme: dark)').matches} ${getComputedStyle(document.body).backgroundColor}`));
    });
    if (width === 320) await check(`${name}, ${colorScheme}: the meters take at most a third of the screen`, async () => {
      const { height: taken } = await page.locator('.wire').boundingBox();
      assert.ok(taken <= height / 3, `${taken} of ${height} px`);
    });
    if (width === 1280 && colorScheme === 'light') await check('each panel says what it shows, and links to its source', async () => {
      const panels = await page.locator('section').evaluateAll(sections => sections.map(it => [it.id, it.querySelector('.what')?.textContent ?? '', [...it.querySelectorAll('.source')].map(link => link.href)]));
      for (const [id, words, links] of panels) {
        assert.ok(words.length > 40, `${id} says nothing`);
        assert.ok(links.length > 0, `${id} has no link`);
        for (const link of links) {
          const reply = await page.request.get(link);
          assert.equal(reply.status(), 200, link);
          assert.match(await reply.text(), /^\/\/! /, link);
        }
      }
    });
    await page.context().close();
  }
  await check('light and dark are two colours, each the same on all screens', async () => assert.equal(grounds.size, 2));
}
