/** What a token lets its bearer do, each role also all that those before it may. */
export const ROLES = ['observe', 'drive', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who may use a route: everybody, or bearers of a token with at least this role. */
export type RequiredRole = 'public' | Role;

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

export function allows(role: Role, access: RequiredRole): boolean {
  return access === 'public' || ROLES.indexOf(role) >= ROLES.indexOf(access);
}
