import { z } from 'zod';

/** What people are told of a setting. docs/configuration.md is made of it (`npm run docs`). */
export interface SettingDoc {
  readonly what: string;
  /** What its value is: a duration, a path, a whole number. */
  readonly unit: string;
  readonly default: string;
  readonly least?: string;
  /** When to change it. */
  readonly change: string;
}

/** In place of a default. */
export const mandatory = 'must be given';

/** Beside the schemas of the settings, so that a setting and what is said of it stand in one place. */
export const documented = z.registry<SettingDoc>();
