import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

/** The shapes of the API by their names: `Shapes["UnlockOutput"]`. */
export type Shapes = components["schemas"];

/** Call an instance by its address (`https://laurel.example`) as whom the server key or player token says. */
export function laurel(baseUrl: string, credential: string) {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${credential}` } });
}
