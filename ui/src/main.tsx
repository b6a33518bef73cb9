import './styles/mantine';
import './styles/page.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';
import { Session } from './session/session';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
const session = new Session();
session.start();
createRoot(root).render(<StrictMode><App session={session} /></StrictMode>);
