// What the element tells the site: nothing of it is needed.
const seeder = document.querySelector('moss-seeder');
const thanks = document.getElementById('thanks');

seeder.addEventListener('start', () => (thanks.textContent = 'Thank you.'));
seeder.addEventListener('progress', ({ detail }) => (thanks.textContent = `Thank you: ${Math.round(detail.given / 1e6)} MB so far, ${detail.peers} connected.`));
seeder.addEventListener('stop', () => (thanks.textContent = 'Thank you, and see you again.'));
