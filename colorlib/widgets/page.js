// Runs when the picture that holds it, a single pixel, has loaded: `this` is that picture.
var box = this.closest('.colorlib-widget');
function send(words) {
  var field = box.querySelector('.colorlib-sent input');
  field.value = words.concat(Date.now()).join(' ');
  ['input', 'change'].forEach(function (kind) {
    field.dispatchEvent(new Event(kind, {bubbles: true}));
  });
}
box.onclick = function (event) {
  var link = event.target.closest('a[download]');
  if (link && link.href.startsWith('data:')) {
    // Chromium downloads no data address beyond 2 MB, but a blob of any size.
    event.preventDefault();
    fetch(link.href).then(function (answer) { return answer.blob(); }).then(function (blob) {
      link.href = window.URL.createObjectURL(blob);
      link.click();
    });
    return;
  }
  var button = event.target.closest('[data-send]');
  if (button) { send(button.dataset.send.split(' ')); return; }
  var on = event.target.closest('.colorlib-pick');
  if (!on) { return; }
  var place = on.getBoundingClientRect();
  send(['click', (event.clientX - place.left) / place.width,
    (event.clientY - place.top) / place.height]);
};
box.oninput = function (event) {
  if (event.target.closest('.wipe')) {
    box.querySelector('.colorlib-stack').style.setProperty('--wipe', event.target.value + '%');
  }
};
box.onkeydown = function (event) {
  if (!/^Arrow(Left|Right)$/.test(event.key)) { return; }
  if (event.target.closest('input, select, textarea, [role=slider], .noUi-handle')) { return; }
  event.preventDefault();
  send(['key', event.key.slice(5).toLowerCase()]);
};
// ipywidgets gives pictures and sliders no names for screen readers.
setTimeout(function () {
  box.querySelectorAll('[data-alt]').forEach(function (text) {
    var picture = text.closest('.widget-box').querySelector('img.widget-image');
    if (picture) { picture.alt = text.dataset.alt; }
  });
  box.querySelectorAll('.widget-inline-hbox').forEach(function (row) {
    var label = row.querySelector('.widget-label');
    var part = row.querySelector('.noUi-handle, .ui-slider-handle, input, select');
    if (label && part) { part.setAttribute('aria-label', label.textContent); }
  });
  box.querySelectorAll('.widget-play button').forEach(function (button, number) {
    button.title = ['Play or pause', 'Stop', 'Repeat'][number] || 'Play';
  });
}, 300);
