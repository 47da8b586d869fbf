/** The import rules of docs/architecture.md: domain <- adapters <- features (in order) <- api, web, worker, cli <- main. */
const adapters = 'config|database|queue|smtp|inbound-smtp|mailbox|dns|spamd|mjml|oidc|sns|storage|images|logging';
const outer = ['api', 'web', 'worker', 'cli'];
const features = [
  'audit',
  'notices',
  'users',
  'drafts',
  'consent',
  'ledger',
  'clients',
  'signups',
  'audiences',
  'messages',
  'mailings',
  'runs',
  'accounts',
  'sending',
  'inbound',
  'scheduling',
  'persons',
  'statistics',
];

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'domain-is-pure',
      comment: 'domain/ imports only itself and a few pure libraries',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: {
        pathNot:
          '^src/domain/|node_modules/(temporal-polyfill|d3-scale|liquidjs|html-to-text|htmlparser2|saxes|tldts|fastest-levenshtein|postal-mime|prosemirror-model)|^(crypto|url|node:crypto|node:url)$',
      },
    },
    {
      name: 'adapters-below-features',
      severity: 'error',
      from: { path: `^src/(${adapters})/` },
      to: { path: `^src/(features|${outer.join('|')})/|^src/main\\.` },
    },
    ...features.map((feature, i) => ({
      name: `feature-order-${feature}`,
      comment: 'a feature imports only earlier features',
      severity: 'error',
      from: { path: `^src/features/${feature}/` },
      to: {
        path: `^src/features/(${features.slice(i + 1).join('|') || 'none'})/|^src/(${outer.join('|')})/|^src/main\\.`,
      },
    })),
    ...outer.map((room) => ({
      name: `room-${room}-alone`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${outer.filter((t) => t !== room).join('|')})/|^src/main\\.` },
    })),
    {
      name: 'http-below-outer-rooms',
      comment: 'http/ is what api and web share: sessions, guards, errors, headers',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: `^src/(${outer.join('|')})/|^src/main\\.` },
    },
    {
      name: 'http-for-api-and-web-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(http|api|web)/' },
      to: { path: '^src/http/' },
    },
    { name: 'nothing-imports-main', severity: 'error', from: { path: '^src' }, to: { path: '^src/main\\.' } },
    {
      name: 'no-dev-deps-in-src',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
