import { cut } from './cut';
import { type CodedProblem, problem } from './problems';

/** A file that letters carry. */
export interface Attachment {
  name: string;
  type: string;
  content: Buffer;
}

/** The most that the attachments of one message may have together, in bytes, and how many there may be. */
export const ATTACHMENTS_BYTES = 10 * 1024 * 1024;
export const ATTACHMENTS_MAX = 20;
/** More than this many servers refuse, once it is encoded. */
export const ATTACHMENTS_LARGE = 5 * 1024 * 1024;

/** What mail servers refuse whatever is in it: Gmail's and Outlook's lists together. */
const REFUSED = new Set(
  (
    'ade adp apk app appcontent-ms appinstaller application appref-ms appx appxbundle asp aspx asx bas bat bgi cab cer ' +
    'chm cmd cnt com cpl crt csh der diagcab dll dmg ex ex_ exe fxp gadget grp hlp hpj hta img inf ins iso isp its jar ' +
    'jnlp js jse ksh lib library-ms lnk mad maf mag mam maq mar mas mat mau mav maw mcf mda mdb mde mdt mdw mdz msc msh ' +
    'msh1 msh1xml msh2 msh2xml mshxml msi msix msixbundle msp mst msu nsh ops osd pcd pif pl plg prf prg printerexport ' +
    'ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 pst py pyc pyo pyw pyz pyzw reg scf scr sct search-ms settingcontent-ms ' +
    'shb shs sys theme tmp udl url vb vbe vbp vbs vhd vhdx vsmacros vsw vxd webpnp website wmf ws wsb wsc wsf wsh xbap ' +
    'xll xnk'
  ).split(' '),
);
const NAME_MAX = 200;
/** What stands before so many characters is not looked at: some of this takes time in the square of the length. */
const LOOKED_AT = 1_000;

/**
 * A file's name as recipients see it: one line, without folders, without what changes the direction of writing, which
 * could hide its ending.
 */
export function attachmentName(given: string): string {
  const name = given
    .slice(-LOOKED_AT)
    .normalize('NFC')
    .replace(/^.*[/\\]/s, '')
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu, '')
    .replace(/["<>:|?*]/g, '_')
    .replace(/^[\s.]+|[\s.]+$/g, '');
  const [, stem = '', ending = ''] = /^(.+?)(\.[^.]{1,20})?$/su.exec(name) ?? [];
  return stem === '' ? 'file' : cut(stem, NAME_MAX) + ending;
}

/** Null if mail servers take files with this name. */
export function attachmentProblem(name: string): CodedProblem | null {
  const ending = /\.([^.\s]+)$/.exec(name.toLowerCase())?.[1] ?? '';
  return REFUSED.has(ending) ? problem('attachment_type', { ending: `.${ending}` }) : null;
}

const TYPES: Record<string, string> = {
  pdf: 'application/pdf',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  odt: 'application/vnd.oasis.opendocument.text',
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  rtf: 'application/rtf',
  txt: 'text/plain',
  csv: 'text/csv',
  ics: 'text/calendar',
  vcf: 'text/vcard',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  zip: 'application/zip',
};

/** By its name: mail programs go by that, too. What is not known is opened by none of them by itself. */
export const attachmentType = (name: string): string =>
  TYPES[/\.([^.]+)$/.exec(name.toLowerCase())?.[1] ?? ''] ?? 'application/octet-stream';
