// The GraphQL section: queries, a mutation and subscriptions over each transport.
import assert from 'node:assert/strict';
import { check, logged } from './harness.mjs';

export async function graphql(one, two) {
  const ask = async (page, transport, document, kind, contains, way = 'down') => {
    await page.selectOption('#graphql-transport', transport);
    await page.fill('#graphql-document', document);
    return logged(page, 'graphql-log', `[data-way=${way}][data-kind="${kind}"]`, () => page.click('#graphql-run'), contains);
  };

  for (const [transport, kind] of [['http', 200], ['socket', 'next'], ['events', 'next']]) {
    await check(`GraphQL over ${transport}: a query`, async () => {
      const line = await ask(one, transport, '{ users { name } }', kind, 'Turing');
      assert.match(line.text, /"data":\{"users":\[\{"name":"Ada Lovelace"\}/);
    });
  }
  await check('GraphQL: what does not validate is told', async () => {
    const line = await ask(one, 'socket', '{ nobody }', 'error', 'nobody', 'fault');
    assert.match(line.text, /Unknown field/);
  });
  for (const transport of ['socket', 'events']) {
    await check(`GraphQL over ${transport}: a subscription hears of a post, until it is stopped`, async () => {
      const heard = logged(two, 'graphql-log', '[data-way=down][data-kind=next]', async () => {
        await two.selectOption('#graphql-transport', transport);
        await two.fill('#graphql-document', 'subscription { postCreated { title } }');
        await two.click('#graphql-run');
        await two.waitForSelector('#graphql-state[data-state=open]');
      }, `by ${transport}`);
      // It may be under way still: it is posted until it is heard of.
      const posting = { goesOn: true };
      heard.finally(() => { posting.goesOn = false; }).catch(() => {});
      while (posting.goesOn) {
        await ask(one, 'http', `mutation { createPost(input: {title: "by ${transport}", content: ""}) { id title } }`, 200, `by ${transport}`);
      }
      await heard;
      await two.click('#graphql-stop');
      await two.waitForSelector('#graphql-state[data-state=closed]');
    });
  }
}
