// The log of one task for as long as it is shown: followed live until the task ends.
import { useEffect, useState } from 'react';

import { TaskLogDocument } from '../api/generated';
import type { Transport } from '../api/transport';
import { NO_LOG, grown, type LogRecord, type TaskLog } from './log';

const GATHER_MS = 60;

export interface Followed extends TaskLog {
  readonly state: 'following' | 'ended' | 'failed';
  readonly error: string;
}

export function useTaskLog(transport: Transport, id: string): Followed {
  const [followed, setFollowed] = useState<Followed>({ ...NO_LOG, state: 'following', error: '' });
  useEffect(() => {
    let waiting: LogRecord[] = [];
    let timer: number | undefined;
    // A fast build writes thousands of lines a second: they are shown in batches.
    const show = () => {
      const batch = waiting;
      waiting = [];
      timer = undefined;
      setFollowed((before) => ({ ...before, ...grown(before, batch) }));
    };
    const stop = transport.subscribe(TaskLogDocument, { id, after: 0 }, {
      next: ({ taskLog }) => {
        waiting.push(taskLog);
        timer ??= window.setTimeout(show, GATHER_MS);
      },
      end: (error) => {
        show();
        setFollowed((before) => ({ ...before, state: error === null ? 'ended' : 'failed', error: error?.message ?? '' }));
      },
    });
    return () => {
      window.clearTimeout(timer);
      stop();
    };
  }, [transport, id]);
  return followed;
}
