import fc from 'fast-check';
import { clientColumns, columnName, fileColumns, fileHead, templateColumns } from '../../src/domain/client-columns';
import { reasonsOf, subscriptionOf, subscriptionStatuses } from '../../src/domain/subscription';
import { suppressionReasons } from '../../src/domain/suppression';
import { checkTags, tagProblem, tagsOf, tagsText } from '../../src/domain/tag-names';

test.each([
  ['VIP', null],
  ['von der Messe №1', null],
  ['x'.repeat(100), null],
  ['', 'empty'],
  ['x'.repeat(101), 'too_long'],
  ['a,b', 'tag_comma'],
  ['a\nb', 'not_one_line'],
])('the tag %j', (name, code) => {
  expect(tagProblem(name)?.code ?? null).toBe(code);
});

test('the names that a form shows are read back', () => {
  const name = fc
    .string()
    .map((text) => text.trim())
    .filter((text) => tagProblem(text) === null);
  fc.assert(fc.property(fc.array(name), (names) => expect(tagsOf(tagsText(names))).toEqual(names)));
  expect(checkTags([' a ', 'a', 'b']).names).toEqual(['a', 'b']);
  expect(tagsOf(' , a,, b ')).toEqual(['a', 'b']);
});

test('every reason leads to one status, and the filter for a status finds it', () => {
  for (const reason of suppressionReasons) {
    const { status } = subscriptionOf({ reason, since: new Date(0), scope: 'owner' }, null);
    expect(subscriptionStatuses.filter((each) => reasonsOf(each).includes(reason))).toEqual([status]);
    expect(subscriptionOf({ reason, since: new Date(0), scope: 'mailing' }, null).status).toBe('subscribed');
    expect(subscriptionOf({ reason, since: new Date(0), scope: 'owner' }, new Date(1))).toMatchObject({
      status: 'unconfirmed',
      since: new Date(1),
    });
  }
});

test("an owner's fields stand among the columns of clients", () => {
  const fields = [{ key: 'city', label: 'Town', type: 'text', options: [] }] as const;
  expect(clientColumns(fields).map(columnName)).toEqual([
    'email',
    'fullName',
    'comment',
    'fields.city',
    'tags',
    'createdAt',
  ]);
  expect(fileColumns(fields).map(fileHead)).toEqual(['email', 'full_name', 'comment', 'city', 'tags']);
  expect(templateColumns(fields).map(({ key }) => key)).toEqual(['email', 'fullName', 'comment', 'city']);
});
