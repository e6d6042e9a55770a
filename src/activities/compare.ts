import { counted } from '../amounts.js';
import { reconcile } from '../reconcile/reconcile.js';
import { withHeartbeat } from './heartbeat.js';
import type { Dependencies } from './index.js';
import type { WorkerActivities } from './types.js';

/** Lake against manifests; what is missing for too long comes back as gaps for the backfills. */
export function createCompare(dependencies: Dependencies): WorkerActivities['compare'] {
  return ({ full }) =>
    withHeartbeat(async (signal, tell) => {
      const { parts, settings } = dependencies;
      const onProgress = (objects: number): void => tell(`${counted(objects, 'lake object')} compared`);
      const options = { full, signal, onProgress };
      const { report, gaps } = await reconcile(parts, settings, await dependencies.tables(), options);
      dependencies.onReconciled?.(report);
      return {
        ok: report.ok,
        provedUntil: report.provedUntil,
        objects: report.objects,
        gaps: gaps.map(({ table, objects, from, to }) => ({ table, objects, range: { from, to, owed: true } })),
      };
    });
}
