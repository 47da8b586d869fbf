import type { FieldDefinition } from '../../domain/client-fields';
import { escapeHtml } from '../../domain/liquid';
import type { FormGround } from '../../domain/signup-form';
import type { SignupFormView } from '../../features/signups/form-view';
import { textsOf } from '../texts/texts';
import { TRAP } from './signup.page';

/** Plain HTML of a form for its owner's site: it needs no script and no permission of ours. */
export function formSnippet(form: SignupFormView, { fields }: FormGround, url: string): string {
  const t = textsOf(form.language).signup;
  const line = (name: string, label: string, type: string, required: boolean) =>
    `  <label>${escapeHtml(label)} <input type="${type}" name="${name}"${required ? ' required' : ''}></label>`;
  const own = form.fields.flatMap((key) => {
    const field = fields.find((each) => each.key === key);
    return field ? [ownField(field, form.requiredFields.includes(key), line)] : [];
  });
  return [
    `<form method="post" action="${escapeHtml(url)}" accept-charset="utf-8">`,
    line('email', t.email, 'email', true),
    ...(form.fullName === 'hidden' ? [] : [line('fullName', t.fullName, 'text', form.fullName === 'required')]),
    ...own,
    ...form.topics.map(
      ({ id, name }) => `  <label><input type="checkbox" name="topic.${id}" value="on"> ${escapeHtml(name)}</label>`,
    ),
    `  <input name="${TRAP}" tabindex="-1" autocomplete="off" aria-hidden="true" style="position:absolute;left:-99em">`,
    ...(form.consentText ? [`  <p>${escapeHtml(`${t.agree} ${form.consentText}`).replaceAll('\n', '<br>')}</p>`] : []),
    `  <button>${escapeHtml(t.button)}</button>`,
    '</form>',
  ].join('\n');
}

type Line = (name: string, label: string, type: string, required: boolean) => string;

function ownField({ key, label, type, options }: FieldDefinition, required: boolean, line: Line): string {
  const name = `fields.${key}`;
  if (type === 'boolean')
    return `  <label><input type="checkbox" name="${name}" value="yes"${required ? ' required' : ''}> ${escapeHtml(label)}</label>`;
  if (type !== 'choice') return line(name, label, type === 'date' ? 'date' : 'text', required);
  const choices = ['', ...options].map((option) => `<option>${escapeHtml(option)}</option>`).join('');
  return `  <label>${escapeHtml(label)} <select name="${name}"${required ? ' required' : ''}>${choices}</select></label>`;
}
