/** The batches of a training in Node: made by threads, and the mean of the images kept in a file. */
import { existsSync } from "node:fs";
import type { Recipe } from "../../compiler/recipe.js";
import type { DataSet } from "../data/data-set.js";
import { Loader } from "../data/loader.js";
import { loadStatistics, saveStatistics } from "../data/statistics.js";
import { feedBy, type Feed, type FeedOptions, type StatisticsStore } from "./feed.js";

/** @throws {DataError} for transforms that do not fit the data, and for images of which no class is known */
export function openFeed(data: DataSet, recipe: Recipe, seed: number, options: FeedOptions): Promise<Feed> {
  const { statistics, channels, share, ...how } = options;
  const kept = { ...(statistics && { statistics }), ...(channels && { channels }), ...(share && { share }) };
  return feedBy(new Loader(how), data, recipe, kept, seed);
}

export function statisticsFile(file: string): StatisticsStore {
  return {
    load: async () => (existsSync(file) ? loadStatistics(file) : undefined),
    save: (statistics) => saveStatistics(file, statistics),
  };
}
