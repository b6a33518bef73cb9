// The page's few pictures, drawn on a grid of 24 with round strokes in the colour of the text. All are decoration:
// what they mean stands beside them as text or as a label.
import type { ReactNode } from 'react';

function Icon({ children, size = 18 }: { children: ReactNode; size?: number | undefined }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={2}
      strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false">
      {children}
    </svg>
  );
}

interface Size {
  readonly size?: number;
}

export const CopyIcon = ({ size }: Size) => (
  <Icon size={size}><rect x="9" y="9" width="11" height="11" rx="2.5" /><path d="M5 15V6.5A2.5 2.5 0 0 1 7.5 4H15" /></Icon>
);
export const CheckIcon = ({ size }: Size) => <Icon size={size}><path d="M5 12.5l4.5 4.5L19 7.5" /></Icon>;
export const CrossIcon = ({ size }: Size) => <Icon size={size}><path d="M7 7l10 10M17 7L7 17" /></Icon>;
export const SunIcon = ({ size }: Size) => (
  <Icon size={size}><circle cx="12" cy="12" r="4" /><path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1" /></Icon>
);
export const MoonIcon = ({ size }: Size) => <Icon size={size}><path d="M20 13.8A8 8 0 1 1 10.2 4a6.4 6.4 0 0 0 9.8 9.8z" /></Icon>;
export const LeaveIcon = ({ size }: Size) => <Icon size={size}><path d="M10 4H6.5A2.5 2.5 0 0 0 4 6.5v11A2.5 2.5 0 0 0 6.5 20H10M15 8l4 4-4 4M19 12H9.5" /></Icon>;
export const AlertIcon = ({ size }: Size) => <Icon size={size}><path d="M12 4.5l8.5 15h-17zM12 10v4.5M12 17.3v.1" /></Icon>;
export const ClockIcon = ({ size }: Size) => <Icon size={size}><circle cx="12" cy="12" r="8.5" /><path d="M12 7.5V12l3 2" /></Icon>;
export const BackIcon = ({ size }: Size) => <Icon size={size}><path d="M9 7L4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-2" transform="translate(0 -2)" /></Icon>;
export const ArrowIcon = ({ size }: Size) => <Icon size={size}><path d="M5 12h14M13 6.5l5.5 5.5-5.5 5.5" /></Icon>;
export const ChevronIcon = ({ size }: Size) => <Icon size={size}><path d="M9.5 6l6 6-6 6" /></Icon>;
export const NodeIcon = ({ size }: Size) => <Icon size={size}><rect x="4" y="5" width="16" height="6" rx="2" /><rect x="4" y="13" width="16" height="6" rx="2" /><path d="M8 8h.1M8 16h.1" /></Icon>;
export const BranchIcon = ({ size }: Size) => <Icon size={size}><circle cx="7" cy="6" r="2.3" /><circle cx="7" cy="18" r="2.3" /><circle cx="17" cy="9" r="2.3" /><path d="M7 8.3v7.4M17 11.3c0 3-4 3.2-8 4.2" /></Icon>;
export const TaskIcon = ({ size }: Size) => <Icon size={size}><path d="M14.5 6.5a4 4 0 0 0-5.2 5.2L4 17l3 3 5.3-5.3a4 4 0 0 0 5.2-5.2L15 12l-3-3z" /></Icon>;
export const LockIcon = ({ size }: Size) => <Icon size={size}><rect x="5" y="11" width="14" height="9" rx="2" /><path d="M8 11V8a4 4 0 0 1 8 0v3" /></Icon>;
