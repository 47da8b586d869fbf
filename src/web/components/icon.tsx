/** Line icons of 20 units; decoration only, so hidden from screen readers. */
const PATHS = {
  suppressions: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM4.8 4.8l10.4 10.4',
  segments: 'M3 4h14l-5.5 6.500V16L8.5 14.500v-4z',
  home: 'M3 9.5 10 3l7 6.5V17h-4.5v-4.5h-5V17H3z',
  clients:
    'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 16.5c.4-3 2.6-4.7 5.5-4.7s5.1 1.7 5.5 4.700M13 3.900a3 3 0 0 1 0 5.300M14.8 12.200c1.8.6 2.9 2.1 3.2 4.3',
  messages: 'M3 4.500h14v11H3zM3.5 5.500l6.5 5 6.5-5',
  mailings: 'm2.5 9.7 15-6.7-5.7 14-2.3-5.300z M9.5 11.7 17.5 3',
  attempts: 'M3 5h14M3 10h14M3 15h9',
  reports: 'M3.5 16.500h13M5.5 13.500v-4M10 13.500V5M14.5 13.500v-6.5',
  users: 'M10 9.500a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.400ZM3.5 17c.6-3.3 3.2-5.2 6.5-5.200s5.9 1.9 6.5 5.2',
  audit: 'M5 3h10v14H5zM7.5 7h5M7.5 10h5M7.5 13h3',
  status: 'M2.5 10h3.500l2-5.5 4 11 2-5.500h3.5',
  account:
    'M10 12.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM10 2.500v2.200M10 15.300v2.200M2.5 10h2.200M15.3 10h2.200M4.7 4.700l1.6 1.600M13.7 13.700l1.6 1.600M15.3 4.700l-1.6 1.600M6.3 13.700l-1.6 1.6',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  close: 'm5 5 10 10M15 5 5 15',
  plus: 'M10 4v12M4 10h12',
  tick: 'm4 10.500 4 4 8-9',
  search: 'M9 14.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  warning: 'M10 3 18 16.500H2zM10 8v4M10 14.200v.1',
  out: 'M8 3.500H3.500v13H8M12.5 6.5 16 10l-3.5 3.500M16 10H7.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" class="logo-back" />
      <path
        d="M6 15.6 25.4 7.200c.7-.3 1.4.4 1.1 1.100L19 25.600c-.3.8-1.4.8-1.7 0l-2.6-6.3 5.6-6-6.7 4.9-7.5-1.100c-.9-.1-1-1.2-.1-1.500Z"
        class="logo-front"
      />
    </svg>
  );
}
