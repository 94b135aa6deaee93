/**
 * Settings: named values with a default, a meaning and a range.
 *
 * Benchmarks and methods declare theirs in this one form, so that `--set name=value`, the list of benchmarks, the
 * configuration in `run.json` and its hash all read the same thing.
 */

import { suggest, UsageError } from "./errors.ts";

/** What a setting may be. */
export type SettingValue = number | string | boolean;

/** One declared setting. */
export interface Setting<T extends SettingValue = SettingValue> {
  /** Its value unless something else is said; its type is the setting's type. */
  readonly default: T;
  /** One line for `bench list`. */
  readonly about: string;
  /** The least value allowed, for a number. */
  readonly min?: number;
  /** The greatest value allowed, for a number. */
  readonly max?: number;
  /** Whether a number must be whole. */
  readonly whole?: boolean;
  /** The only values allowed. */
  readonly choices?: readonly T[];
}

/** Declared settings by name. */
export type Settings = { readonly [name: string]: Setting };

/** The values of declared settings: what a method or a benchmark reads. */
export type Values<S extends Settings = Settings> = { readonly [K in keyof S]: Widened<S[K]["default"]> };

// The brackets keep a union whole: undeclared settings are any of the three.
/** A literal type as the type that it is of. */
export type Widened<T extends SettingValue> = [T] extends [number] ? number
  : [T] extends [boolean] ? boolean
  : [T] extends [string] ? string
  : SettingValue;

/** Values given for some settings, before they are checked. */
export type Overrides = { readonly [name: string]: SettingValue };

/** The defaults with `overrides` over them, each checked. `owner` names in errors whose settings they are. */
export function resolve<S extends Settings>(settings: S, overrides: Overrides, owner: string): Values<S> {
  const values: Record<string, SettingValue> = {};
  for (const [name, setting] of Object.entries(settings)) values[name] = setting.default;
  for (const [name, value] of Object.entries(overrides)) {
    const setting = declared(settings, name);
    if (setting === undefined) {
      throw new UsageError({
        what: `unknown setting "${name}"`,
        where: owner,
        fix: suggest(name, Object.keys(settings)),
      });
    }
    values[name] = checked(name, setting, value, owner);
  }
  return values as Values<S>;
}

/** The setting of this name; undefined where none is declared, also for what every object has, like `constructor`. */
export function declared(settings: Settings, name: string): Setting | undefined {
  return Object.hasOwn(settings, name) ? settings[name] : undefined;
}

/** Reads the text of `--set name=text` as a value of the setting's type. */
export function parseSetting(name: string, setting: Setting, text: string, owner: string): SettingValue {
  if (typeof setting.default === "number") {
    return checked(name, setting, text.trim() === "" ? NaN : Number(text), owner, text);
  }
  if (typeof setting.default === "boolean") {
    return checked(name, setting, text === "true" ? true : text === "false" ? false : text, owner);
  }
  return checked(name, setting, text, owner);
}

function checked(
  name: string,
  setting: Setting,
  value: SettingValue,
  owner: string,
  text = String(value),
): SettingValue {
  const refuse = (fix: string): never => {
    throw new UsageError({ what: `setting "${name}" cannot be "${text}"`, where: owner, fix });
  };
  if (typeof value !== typeof setting.default) {
    const kind = typeof setting.default === "boolean" ? "true or false" : `a ${typeof setting.default}`;
    refuse(`give ${kind}; the default is ${setting.default}`);
  }
  if (setting.choices !== undefined && !setting.choices.includes(value)) {
    refuse(suggest(text, setting.choices.map(String)));
  }
  if (typeof value === "number") {
    const { min = -Infinity, max = Infinity, whole = false } = setting;
    if (!Number.isFinite(value)) refuse(`give a number; the default is ${setting.default}`);
    if (value < min || value > max) refuse(`give a number between ${min} and ${max}`);
    if (whole && !Number.isInteger(value)) refuse("give a whole number");
  }
  return value;
}
