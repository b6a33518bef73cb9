import css from './page.module.css';

/** The product's sign. */
export function Mark() {
  return (
    <svg className={css.mark} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="#0b7a6f" />
      <path d="M8 9l8 14 8-14" fill="none" stroke="#fff" strokeWidth="3.4" strokeLinecap="round" strokeLinejoin="round" />
      <circle cx="16" cy="9" r="2.4" fill="#8ef0dc" />
    </svg>
  );
}
