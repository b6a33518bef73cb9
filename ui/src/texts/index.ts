// The texts in the language of the page; the one place to choose it.
import { en, type Texts } from './en';

export const texts: Texts = en;
