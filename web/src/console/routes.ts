/** A page of the console. */
export type Route = { readonly page: "users" | "boards" | "node" | "nowhere" } | { readonly page: "user"; readonly user: string };

export function routeOf(pathname: string): Route {
  const [, , page = "", ...rest] = pathname.replace(/\/+$/, "").split("/");
  if (page === "" && rest.length === 0) return { page: "users" };
  if (page === "users" && rest.length === 1) {
    try {
      return { page: "user", user: decodeURIComponent(rest[0]!) };
    } catch {
      return { page: "nowhere" };
    }
  }
  return rest.length === 0 && (page === "users" || page === "boards" || page === "node") ? { page } : { page: "nowhere" };
}
