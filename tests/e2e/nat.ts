/** Machines behind address translation: a router with two addresses, and a machine behind it that nobody can dial. */
import { spawnSync } from 'node:child_process';
import { ip, noNetwork, run, type Machine, type Network } from './network.ts';

/**
 * What a router does with the ports of those behind it (RFC 4787).
 * - `keeps`: a port of its own for each port inside, the same towards everybody, as in most homes.
 * - `changes`: another one for each that is spoken to, as with many mobile networks.
 */
export type Ports = 'keeps' | 'changes';

const INSIDE = '192.168';

/** Why there can be no such router here; `undefined` where there can. */
export function noNat(): string | undefined {
  const obstacle = noNetwork();
  if (obstacle !== undefined) return obstacle;
  const { error, status, stderr } = spawnSync('unshare', ['--net', 'nft', 'add', 'table', 'ip', 'probe'], { encoding: 'utf8' });
  if (error !== undefined || status === 127) return 'there is no nft(8): apt-get install nftables';
  return status === 0 ? undefined : `nft(8) cannot translate addresses here: ${stderr.trim()}`;
}

/** A machine behind a router of its own. Its `address` is the private one. */
export function behindNat(network: Network, name: string, ports: Ports): Machine & { router: Machine } {
  const router = network.machine(`${name}-router`);
  const [, , , number = '1'] = router.address.split('.');
  const [outside, inside] = [router.prefix.at(-1) ?? '', network.space(name)];
  ip('-n', inside, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'inside', 'netns', outside);
  ip('-n', outside, 'address', 'add', `${INSIDE}.${number}.1/24`, 'dev', 'inside');
  ip('-n', outside, 'link', 'set', 'inside', 'up');
  ip('-n', inside, 'link', 'set', 'lo', 'up');
  ip('-n', inside, 'address', 'add', `${INSIDE}.${number}.2/24`, 'dev', 'eth0');
  ip('-n', inside, 'link', 'set', 'eth0', 'up');
  ip('-n', inside, 'route', 'add', 'default', 'via', `${INSIDE}.${number}.1`);
  run([...router.prefix, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  // What nobody inside asked for is dropped unseen, as routers do: were it refused, the kernel would remember it, and give away its port.
  const rules = `
    add table ip router
    add chain ip router out { type nat hook postrouting priority srcnat; }
    add rule ip router out oifname "eth0" masquerade ${ports === 'changes' ? 'fully-random' : ''}
    add chain ip router through { type filter hook forward priority filter; policy drop; }
    add rule ip router through ct state established,related accept
    add rule ip router through iifname "inside" accept
    add chain ip router in { type filter hook input priority filter; policy drop; }
    add rule ip router in iifname != "eth0" accept`;
  run([...router.prefix, 'nft', rules]);
  return { name, address: `${INSIDE}.${number}.2`, prefix: ['ip', 'netns', 'exec', inside], router };
}
