import { testTraining } from "./backend_training.ts";

await testTraining("native");
