// The token that the server may need. It is kept as long as the tab is open, and leaves the address at once.

const NAME = "asrd-token";
const found = new URLSearchParams(location.hash.slice(1)).get("token");

if (found) {
  keep(found);
  history.replaceState(null, "", location.pathname + location.search);
}

export function keep(token) {
  sessionStorage.setItem(NAME, token);
}

export function kept() {
  return sessionStorage.getItem(NAME) ?? "";
}
