/** Networks that a letter may link to, with what they call themselves. */
export const NETWORKS = {
  facebook: 'Facebook',
  instagram: 'Instagram',
  x: 'X',
  youtube: 'YouTube',
  linkedin: 'LinkedIn',
  telegram: 'Telegram',
  vk: 'VK',
  whatsapp: 'WhatsApp',
  tiktok: 'TikTok',
  website: 'Website',
} as const;

export type Network = keyof typeof NETWORKS;

export interface SocialLink {
  network: Network;
  url: string;
}

export const isNetwork = (value: unknown): value is Network =>
  typeof value === 'string' && Object.hasOwn(NETWORKS, value);
