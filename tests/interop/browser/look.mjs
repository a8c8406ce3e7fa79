// The page as a whole: meters, names of controls, the screenshot, small screens.
import assert from 'node:assert/strict';
import { check } from './harness.mjs';

export async function look(page, screenshot) {
  await check('every meter has counted', async () => {
    for (const name of ['http', 'echo', 'chat', 'hub', 'events', 'graphql', 'connect', 'grpc']) {
      const meter = page.locator(`[data-meter=${name}]`);
      const { sent, received, trips } = await meter.evaluate(element => ({ ...element.dataset }));
      assert.ok(Number(sent) > 0 && Number(received) > 0 && Number(trips) > 0, `${name}: ${sent} ${received} ${trips}`);
      assert.match(await meter.textContent(), /↑ .*B .*↓ .*B/);
    }
  });
  await check('every control has a name', async () => {
    const nameless = await page.evaluate(() => [...document.querySelectorAll('input, select, textarea, button')]
      .filter(control => !(control.labels?.length || control.getAttribute('aria-label') || control.textContent.trim()))
      .map(control => control.outerHTML));
    assert.deepEqual(nameless, []);
  });
  await check('screenshot', async () => {
    await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
    await page.mouse.move(0, 0);
    await page.waitForTimeout(700);
    await page.screenshot({ path: screenshot, fullPage: true });
  });
  for (const [name, width] of [['a small phone', 320], ['a phone', 360], ['a tablet', 768], ['a desk', 1280]]) {
    await check(`the page fits ${name}`, async () => {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
    });
  }
  await page.setViewportSize({ width: 1280, height: 1600 });
  await check('the chat and the streams close on request', async () => {
    await page.click('#chat-toggle');
    await page.waitForSelector('#chat-state[data-state=closed]');
    await page.click('#ticks-toggle');
    await page.waitForSelector('#ticks-state[data-state=closed]');
    await page.click('#events-toggle');
    await page.waitForSelector('#events-state[data-state=closed]');
  });
}
