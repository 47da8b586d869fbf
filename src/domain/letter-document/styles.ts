import type { Look, Palette } from './theme';

/**
 * What style sheets of a letter do: the dark, and less room beside the text on phones. Where they are not read, the
 * styles of the elements give the letter by day and on a desk. No rule is nested in another but these two, since Gmail
 * drops a style sheet that it does not understand.
 */
export function stylesOf({ dark, light }: Look): string {
  return `:root{color-scheme:light dark;supported-color-schemes:light dark}
.t a,.c a,.f a{color:${light.link}}
@media only screen and (max-width:479px){
.t{padding-left:20px !important;padding-right:20px !important}
.f{padding-left:20px !important;padding-right:20px !important}
.c{padding-left:0 !important;padding-right:0 !important}
h1{font-size:24px !important;line-height:30px !important}
}
@media (prefers-color-scheme:dark){
${darkRules(dark)}
}`;
}

function darkRules({ page, card, text, muted, line, link }: Palette): string {
  const background = (colour: string) => `{background:${colour} !important;background-color:${colour} !important}`;
  return [
    `body,.page,.page>div${background(page)}`,
    `.card,.card>table${background(card)}`,
    `.t div,.c div{color:${text} !important}`,
    `.f div{color:${muted} !important}`,
    `.t div a,.c div a,.f div a{color:${link} !important}`,
    // Where pictures are not shown, their words are.
    `.t img,.c img{color:${text} !important}`,
    `.line p{border-top-color:${line} !important}`,
  ].join('\n');
}
