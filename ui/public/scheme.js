// Sets the colour scheme before anything is painted. The key is the one that the page's scheme manager writes.
(function () {
  var chosen = null;
  try {
    chosen = window.localStorage.getItem('vupdate-scheme');
  } catch (error) {
    // Storage is closed to this page: follow the system.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
