// `fetch` that waits `ms` for the head of the response, and as long as it takes for the body.
export function fetchWithin(url, init, ms) {
  const patience = new AbortController();
  init.signal = patience.signal;
  const timer = setTimeout(() => patience.abort(), ms);
  return fetch(url, init).finally(() => clearTimeout(timer));
}
