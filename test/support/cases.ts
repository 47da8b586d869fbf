/** How many random cases a property is tried with: fewer in `npm run check`, which has to be quick (GONETS_QUICK). */
export const cases = (all: number, quick: number): number => (process.env.GONETS_QUICK ? quick : all);
