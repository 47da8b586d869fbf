/** What is used of MJML, which has no types of its own. */
declare module 'mjml-core' {
  type ToHtml = (mjml: object, options: object) => Promise<{ html: string }>;
  export const registerComponent: (component: unknown) => void;
  const toHtml: ToHtml;
  export default toHtml;
}
declare module 'mjml-*';
