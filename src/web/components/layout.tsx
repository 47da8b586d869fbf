import type { ComponentChildren } from 'preact';
import { assetUrl } from '../assets';
import { useReader } from '../reader';
import type { Language } from '../texts/texts';
import { CsrfField } from './form';
import { Icon, type IconName, Logo } from './icon';
import { LanguageLinks } from './language';

/** Which parts of the font every page needs; the others are fetched by those that show such letters. */
const SCRIPTS: Record<Language, readonly string[]> = { en: ['latin'], ru: ['cyrillic', 'latin'] };

export function Layout({ title, children }: { title: string; children: ComponentChildren }) {
  const { t, language, user, timeZone } = useReader();
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content="includeIndicatorCSS:false, history:false" />
        <meta name="gonets-editor" content={assetUrl('editor.js')} />
        <title>{`${title} · Gonets`}</title>
        <link rel="icon" href={assetUrl('icon.svg')} type="image/svg+xml" />
        {SCRIPTS[language].map((script) => (
          <link
            key={script}
            rel="preload"
            as="font"
            type="font/woff2"
            href={assetUrl(`golos-text-${script}-wght-normal.woff2`)}
            crossorigin="anonymous"
          />
        ))}
        <link rel="stylesheet" href={assetUrl('styles.css')} />
        <script type="module" src={assetUrl('app.js')}></script>
      </head>
      <body class={user ? 'with-menu' : 'alone'}>
        <a class="skip" href="#main">
          {t.layout.skip}
        </a>
        {user ? <Menu /> : <Visitor />}
        <main id="main" tabindex={-1}>
          <Flash />
          <Refused />
          {children}
          {user && (
            <p class="zone">
              <a href="/account">{t.list.timesIn(timeZone)}</a>
            </p>
          )}
        </main>
      </body>
    </html>
  );
}

function Visitor() {
  return (
    <header class="visitor">
      <a class="brand" href="/">
        <Logo />
        <span>Gonets</span>
      </a>
      <LanguageLinks />
    </header>
  );
}

function Flash() {
  const { flash, t } = useReader();
  if (!flash) return null;
  return (
    <p class="flash" role="status">
      {t.flashes[flash]}
    </p>
  );
}

/** Why what was asked for on this page was refused; read out first, like the problem of a form. */
function Refused() {
  const { notice } = useReader();
  if (!notice) return null;
  return (
    <div class={`alert ${notice.grave ? 'alert-danger' : 'alert-warning'}`} role="alert" tabindex={-1} autofocus>
      <Icon name="warning" />
      <div>{notice.text}</div>
    </div>
  );
}

function Menu() {
  const { t, user, csrfToken } = useReader();
  if (!user) return null;
  const staff = user.role !== 'user';
  return (
    <>
      <header class="topbar">
        <a class="brand" href="/">
          <Logo />
          <span>Gonets</span>
        </a>
        <a class="btn btn-quiet" href="#menu" aria-label={t.layout.openMenu}>
          <Icon name="menu" />
        </a>
      </header>
      <nav class="menu" id="menu" aria-label={t.layout.menu}>
        <a class="btn btn-quiet menu-close" href="#main" aria-label={t.layout.closeMenu}>
          <Icon name="close" />
        </a>
        <a class="brand" href="/">
          <Logo />
          <span>Gonets</span>
        </a>
        <div class="places">
          <ul>
            <MenuLink to="/" icon="home" text={t.menu.home} />
            <MenuLink to="/mailings" icon="mailings" text={t.menu.mailings} />
            <MenuLink to="/messages" icon="messages" text={t.menu.messages} />
            <MenuLink to="/clients" also="/forms" icon="clients" text={t.menu.clients} />
            <MenuLink to="/segments" icon="segments" text={t.menu.segments} />
            <MenuLink to="/suppressions" also="/inbound" icon="suppressions" text={t.menu.suppressions} />
            <MenuLink to="/attempts" icon="attempts" text={t.menu.attempts} />
            <MenuLink to="/reports" also="/deliverability" icon="reports" text={t.menu.reports} />
          </ul>
          {staff && (
            <>
              <h2>{t.menu.service}</h2>
              <ul>
                <MenuLink to="/users" icon="users" text={t.menu.users} />
                <MenuLink to="/audit" icon="audit" text={t.menu.audit} />
                <MenuLink to="/status" icon="status" text={t.menu.status} />
              </ul>
            </>
          )}
        </div>
        <div class="who">
          <a href="/account">
            <Icon name="account" />
            <span class="text-truncate">{user.fullName || user.email}</span>
          </a>
          <form method="post" action="/sign-out">
            <CsrfField token={csrfToken} />
            <button class="btn btn-quiet" aria-label={t.layout.signOut} title={t.layout.signOut}>
              <Icon name="out" />
            </button>
          </form>
        </div>
      </nav>
    </>
  );
}

/** `also` are pages that are reached from there. */
function MenuLink({ to, also = to, icon, text }: { to: string; also?: string; icon: IconName; text: string }) {
  const { path } = useReader();
  const here = to === '/' ? path === '/' || path.startsWith('/?') : new RegExp(`^(${to}|${also})(/|\\?|$)`).test(path);
  return (
    <li>
      <a href={to} aria-current={here ? 'page' : undefined}>
        <Icon name={icon} />
        {text}
      </a>
    </li>
  );
}
