/** moss from its sources, whatever was built before. */
import module from 'node:module';
import { main } from '../../node/main.ts';

module.enableCompileCache();
process.exitCode = await main(process.argv.slice(2), process.env);
