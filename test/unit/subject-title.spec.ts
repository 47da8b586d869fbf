import fc from 'fast-check';
import { subjectTitle } from '../../src/domain/subject-title';

test.each([
  ['Hello, {{ client.fullName }}', 'Hello, …'],
  ['Hello, {{ client.fullName | default: "friend" }}!', 'Hello, …!'],
  ['{{ client.city }} {{client.fullName}}: news', '…: news'],
  ['{% if client.fullName != "" %}Dear {{ client.fullName }}{% else %}Hi{% endif %}', 'Dear …Hi'],
  ['  Two   words ', 'Two words'],
  ['{{ client.fullName }}', '…'],
  ['Half {{ open', 'Half {{ open'],
  ['{{{% b %}%}%}', '{'],
  ['', ''],
])('%j is called %j', (subject, title) => {
  expect(subjectTitle(subject)).toBe(title);
});

test('a title is never longer than its subject, is one of its own, and shows no placeholder', () => {
  const part = fc.constantFrom('{{ a }}', '{% b %}', '…', ' ', 'word', '{{', '}}', '%}');
  fc.assert(
    fc.property(
      fc.array(part).map((parts) => parts.join('')),
      (subject) => {
        const title = subjectTitle(subject);
        expect(title.length).toBeLessThanOrEqual(subject.length);
        expect(title).not.toMatch(/\{\{[^]*\}\}|\{%[^]*%\}/);
        expect(subjectTitle(title)).toBe(title);
      },
    ),
  );
});
